"""What the agreed blocks mean: pure, synchronous, deterministic."""
