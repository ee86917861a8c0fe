"""Every limit of the labels, named once with its unit."""

LABELS_MAX = 10_000  # labels of one run
DOMAIN_CHARACTERS_MAX = 40  # so that an address has at most 70, as EN 18219 drafts cap an ID
PACK_KG_DEFAULT = 25
PNG_DPI = 300
TEXT_CHARACTERS_MAX = 128  # of a name, as the ledger has them
