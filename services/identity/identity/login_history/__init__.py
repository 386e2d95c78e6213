"""Login history (登录记录): who signed in, how and from where; and "this wasn't me"."""
