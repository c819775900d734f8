"""The words, one module a language. Pairs are (one, other); texts for phones stay inside the GSM-7 alphabet."""

from collections.abc import Mapping

Entry = str | tuple[str, str]
Table = Mapping[str, Entry]
