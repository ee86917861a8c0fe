"""A network of real node processes in the background, for one machine."""
