"""config.toml and the environment -> one frozen Config, or every problem at once."""
