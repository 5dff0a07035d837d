"""Tests of whole journeys through the running product, in a browser and with the processes of production."""
