"""`python3 -m ehr …`: the command line, after making the environment that it needs."""

from ehr.bootstrap import RUN_LOCK, enter

if __name__ == "__main__":
    enter("ehr", RUN_LOCK)
    from ehr.cli import main

    main()
