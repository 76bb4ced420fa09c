"""From answers, hits and conversations to what a template shows. Pure."""
