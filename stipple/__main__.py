"""`python -m stipple` is `stipple`."""

import sys

from stipple.cli import main

sys.exit(main())
