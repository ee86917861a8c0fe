"""The node's JSON-RPC 2.0 door for people and programs."""
