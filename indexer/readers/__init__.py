"""From files, folders and standard input to posts; what is not a post becomes a Rejected that says where and why."""
