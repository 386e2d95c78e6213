"""电子钱包: the certificate as a verifiable credential (SD-JWT VC), fetched by OpenID4VCI 1.0."""
