"""Odoo's command line, for a server that ends with whoever started it, and without the
process that keeps browsers posted.

Nobody here has a browser. Odoo starts that process again whenever it ends; here it
begins and waits.
"""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # not the folder of this script
    del sys.path[0]
    if sys.argv[1] == "gevent":
        signal.pause()
    from odoo.cli import main

    main()
