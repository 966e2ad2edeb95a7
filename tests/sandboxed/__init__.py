"""What the tests of the sandbox do in processes of their own: controllers, runs, and their ends.

A test has a function of one of these modules carried out by a `tests.sandboxed.warden.warden`.
They import nothing but the standard library and what they test, since another user's Python may
have no more.
"""
