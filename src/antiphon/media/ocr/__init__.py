"""Text in pictures: where it stands, how it is turned, what it says, in which order. Runs in the worker.

The networks are PaddleOCR's, out of the wheel of RapidOCR, run by onnxruntime; what goes around them is here, since
RapidOCR's own takes OpenCV, 2 s to load and over a gigabyte of memory for a page.
"""
