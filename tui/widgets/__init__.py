"""The widgets of the deck: painted line by line, fed with plain text, cheap on a thin line."""
