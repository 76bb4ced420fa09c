"""From posts to indexed posts: staged, planned, cut, embedded once, weighed. Imports `engines` and below."""
