"""Decides how code and Markdown look on a page; both are made on the server, and nothing that they hold is executed."""

from __future__ import annotations


def markdown(text: str) -> str:
    """Return safe HTML for Markdown of authors and users (notes, doc_md). Imported here: few pages have any."""
    import nh3
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"]).render(text)
    return nh3.clean(rendered, link_rel="noopener noreferrer nofollow")


def code(text: str, language: str = "python", line_names: str = "") -> str:
    """Return highlighted HTML, a line a row; ``line_names`` makes anchors such as ``L12``."""
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    look: HtmlFormatter[str] = (
        HtmlFormatter(cssclass="code", linenos="table", anchorlinenos=True, lineanchors=line_names)
        if line_names
        else HtmlFormatter(cssclass="code")
    )
    return highlight(text, get_lexer_by_name(language), look)
