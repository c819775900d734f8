"""XML bytes -> plain elements, within bounds. A document type is refused: there may be a bomb of entities behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError, ParserCreate

MAX_DEPTH = 40
MAX_ELEMENTS = 200_000
MAX_TEXT = 200  # letters of one value


@dataclass(slots=True)
class Node:
    """An element: its name without namespace, in small letters, its text and what is inside."""

    name: str
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """Yield this element and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    def child(self, name: str) -> "Node | None":
        """Return the first element of this name directly inside."""
        return next((one for one in self.children if one.name == name), None)


def parse_xml(content: bytes) -> Node:
    """Return the document's elements; names lose their namespace, long texts their end.

    Raises:
        ValueError: not well-formed, too deep, too large, or with a document type: entities are a bomb's fuse.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
    else:
        # Only numbers, dates and English words are read: a name in a damaged encoding must not spoil them.
        text = content.decode("utf-8", "replace")
    parser = ParserCreate("utf-8")  # overrides what the declaration claims
    parser.buffer_text = True
    top = Node("")
    open_nodes, count = [top], 0

    def start(name: str, attributes: object) -> None:
        nonlocal count
        del attributes
        count += 1
        if count > MAX_ELEMENTS or len(open_nodes) > MAX_DEPTH:
            raise ValueError("more elements than any such report has")
        node = Node(name.rpartition(":")[2].lower())
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(name: str) -> None:
        del name
        open_nodes.pop()

    def characters(data: str) -> None:
        node = open_nodes[-1]
        if len(node.text) < MAX_TEXT:
            node.text += data[:MAX_TEXT]

    def doctype(*rest: object) -> None:
        del rest
        raise ValueError("a document type where none belongs")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.lstrip("\ufeff \t\r\n").encode("utf-8"), True)
    except ExpatError as error:
        raise ValueError(f"not well-formed XML (line {error.lineno})") from None
    if not top.children:
        raise ValueError("an empty document")
    return top.children[0]
