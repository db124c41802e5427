"""Slices as tests write them, and values that are hard to write."""

#: Two of each pair differ in case, an accent, a blank or in a character that nobody sees.
ODD_VALUES = (
    "a,b=c", "a", "x=y", "p|q", "two\nlines", "tab\there", '"quoted"', "", " ", "blank ", "blank",
    "Sports", "sports", "spörts", "straße", "strasse", "男装", "نساء", "\u202edrow", "🎉", "🎈",
    "*", "?", "5*", "\\", "overall", "(missing)", "((missing))", "domain=a,gender=f", "<b>&",
    "[red]", "[/b]", "{{ 1 }}", "%s", "w" * 1000, "w" * 999 + "v",
)  # fmt: skip


def named(text):
    """The slice that ``domain=feed,gender=f`` means, no value of which holds a comma or ``=``.

    A slice as pairs, for other values, is returned as it is.
    """
    if isinstance(text, tuple):
        return text
    if text == "overall":
        return ()
    return tuple(tuple(pair.split("=")) for pair in text.split(","))
