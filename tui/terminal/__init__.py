"""The terminal: what is sent to it, how fast, and how it is left.

Nothing is imported here, so that the guardian can fork before Textual is loaded. The doors are
:func:`tui.terminal.guardian.guard`, :func:`tui.terminal.driver.driver_class`,
:func:`tui.terminal.manners.run` and :func:`tui.terminal.capabilities.detect`.
"""
