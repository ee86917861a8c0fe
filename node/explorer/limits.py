"""Everything of the explorer that could grow, and how far it may."""

SEARCH_CHARACTERS_MAX = 128  # of a search as typed; a link from a label is cut down to its end
HEADER_CHARACTERS_MAX = 1_024  # of an Accept or Accept-Language header; what is beyond is not read
HEADER_RANGES_MAX = 32  # of one such header
COMPRESS_BYTES_MIN = 512  # of a file; smaller ones travel as they are
