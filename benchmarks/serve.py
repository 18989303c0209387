"""Odoo's command line, without the process that keeps browsers posted.

Nobody here has a browser. Odoo starts that process again whenever it ends; here it
begins and waits.
"""

import signal
import sys

if __name__ == "__main__":
    # not the folder of this script
    del sys.path[0]
    if sys.argv[1] == "gevent":
        signal.pause()
    from odoo.cli import main

    main()
