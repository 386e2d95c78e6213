"""Recovery (找回账号): names and passwords of persons and units, by themselves or reviewed."""
