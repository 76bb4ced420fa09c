"""From files, folders and standard input to posts; what is no post comes out as a Rejected that says where and why."""
