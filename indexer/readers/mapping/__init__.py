"""Fields that are called otherwise, mapped to a post's. Pure; imports `posts` and `readers.paths`."""
