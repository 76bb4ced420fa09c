"""Files of the crawlers by which people collect posts of Chinese platforms, a module a tool."""
