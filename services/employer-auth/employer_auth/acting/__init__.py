"""Acting: which units a person may choose, and the mandate that identity redeems."""
