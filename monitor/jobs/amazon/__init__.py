"""Asking Amazon: its own figures each day, the orders behind open threads; and telling when nothing comes."""
