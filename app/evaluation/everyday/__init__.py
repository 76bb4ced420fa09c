"""Questions and dialogues as people type them, and whether a person would call what they get right."""
