"""Second factors (第二验证因素) of persons and units: authenticator, recovery codes, passkeys."""
