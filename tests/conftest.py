import signal

pytest_plugins = ["tests.support.moto_aws"]

# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that: ours have to be
# interrupted as in the foreground.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
