"""What a served model can do, measured through the Messages API: the questions, the asking, the scores.

Knows nothing of the server: any that answers `POST /v1/messages` can be measured.
"""
