"""What people read: facts -> text, in five languages, for each channel. Pure.

Must not decide who is told, and must not show a word, name or address of a buyer. A translation that breaks gives way to
English, and English that breaks to the bare facts: never to nothing.
"""
