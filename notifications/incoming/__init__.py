"""Receive mail. Each step is a module, in this order:

mime        reads any bytes as a mail: headers, text, HTML, files
containers  opens winmail.dat and signed S/MIME mails
markup      turns HTML into lines of our Markdown, with the pictures in their places
folding     finds the words that are new, and folds what was quoted
automatic   says whether a program sent the mail, and why we think so
reports     reads delivery reports: bounces and complaints
"""
