"""identity (统一身份认证): accounts, levels, single sign-on, officers and messages to people."""
