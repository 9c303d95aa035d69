"""The migrations of the surveys service: the branch ``surveys`` beside the kit's own."""
