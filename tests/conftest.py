pytest_plugins = ["tests.support.moto_aws"]
