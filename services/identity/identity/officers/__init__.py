"""Officers (经办机构人员): accounts with a region, businesses, roles and a second factor."""
