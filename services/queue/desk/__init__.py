"""The teller's desk (柜员工作台): one window, its customer, and who comes next."""
