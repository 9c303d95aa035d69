"""The front door (首页): what this is, who you are, where you can go."""
