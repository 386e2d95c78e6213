"""Sign-in (统一登录): the OpenID provider, its sessions, keys, tokens and pages."""
