"""Reading a page as a strict browser would: its tags, its text, its links, its SVG."""

from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """A parsed page. Raises AssertionError where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        html.encode()
        self.html = html
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.links: dict[str, str] = {}
        self._open: list[str] = []
        self._words: list[str] = []
        self._link = ""
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    @property
    def text(self) -> str:
        """All text, with single blanks."""
        return " ".join(" ".join(self._words).split()).replace(" : ", ": ")

    @property
    def pictures(self) -> list[ElementTree.Element]:
        """The inline SVG images, parsed as XML."""
        parts = self.html.split("<svg ")[1:]
        return [
            ElementTree.fromstring("<svg " + part.split("</svg>")[0] + "</svg>") for part in parts
        ]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a":
            self._link = dict(attrs).get("href") or ""
            self.links[self._link] = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        opened = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        if tag == "a":
            self._link = ""

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            return
        self._words.append(data)
        if self._link:
            self.links[self._link] += data
