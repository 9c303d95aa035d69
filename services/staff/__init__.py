"""Staff (员工): the organisation, its people, and what each of them is qualified to do."""
