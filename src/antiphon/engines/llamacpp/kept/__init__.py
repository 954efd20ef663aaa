"""Marked prefixes outlive their slots and the process: what llama.cpp holds of them is kept, and put back.

states     what is kept, found by the beginning that a prompt shares with it
staging    memory that llama.cpp writes to and reads from as if it were files
files      the same on the disk: written whole, looked through before it is used
identity   which model wrote it
store      memory first, then files: what goes, and when
slots      the slots of a server, filled with what is kept
trial      whether a model's state can be put back at all
keeping    all of this for one home"""
