"""The exports of platforms, a module each: how a record is recognised, and what post it is."""
