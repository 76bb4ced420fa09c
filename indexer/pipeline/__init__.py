"""From posts to indexed posts: staged, compared, cut, embedded once, weighed. Imports `engines` and `retrieval`."""
