"""People (员工): post and unit; the name is personal data, encrypted, masked, revealed only with a logged purpose."""
