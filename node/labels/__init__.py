"""Labels for packages: what stands on them, how it is laid out, and files that printers take.

Nothing here asks a node or reads a file: `kilochain label` does.
"""
