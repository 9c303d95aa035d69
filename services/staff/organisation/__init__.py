"""The organisation (机构): the tree of units from head office to branch."""
