"""The explorer: pages for people, served by every node beside its JSON-RPC.

It knows the node only through `Source`, the read calls of the RPC.
"""

from node.explorer.routes import Explorer
from node.explorer.source import Refused, Source

__all__ = ["Explorer", "Refused", "Source"]
