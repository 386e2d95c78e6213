"""SMS codes (短信验证码): six digits, five minutes, one purpose, one phone, one use."""
