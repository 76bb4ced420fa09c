"""Exports of chats, a module a platform: only what was said where everybody may read it is a post."""
