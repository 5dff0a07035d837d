"""Words that tell little, in Spanish and in English, folded: lists for search, suggestions and proposals."""

COMMON = frozenset((
    "a", "al", "algo", "and", "are", "como", "con", "cual", "cuando", "de", "del", "donde", "el", "ella", "en", "es",
    "esta", "este", "esto", "for", "from", "ha", "hay", "he", "i", "in", "is", "it", "la", "las", "le", "les", "lo",
    "los", "me", "mi", "mis", "mucho", "muy", "my", "no", "nos", "not", "o", "of", "on", "or", "para", "pero", "por",
    "porque", "que", "quiero", "se", "si", "sin", "sobre", "su", "sus", "te", "the", "this", "to", "tu", "un", "una",
    "unas", "unos", "y", "ya", "yo", "you", "your",
))  # fmt: skip
"""Words of grammar. They count only where a text has no others."""
PLEASANTRIES = frozenset((
    "ahora", "ayer", "ayuda", "ayudar", "ayudarme", "ayudenme", "buen", "buenas", "buenos", "can", "cannot", "dia",
    "dias", "estoy", "favor", "gracias", "hace", "hacer", "hago", "has", "have", "hello", "help", "hi", "hola", "hoy",
    "llamo", "necesito", "need", "noches", "now", "please", "puede", "pueden", "puedo", "soy", "tardes", "tengo",
    "thanks", "today",
))  # fmt: skip
"""Words that tell little in a report. They count if a query has no others."""
FILLERS = frozenset((
    "abajo", "about", "acabo", "ademas", "after", "again", "ahi", "alguien", "alguna", "algunas", "alguno", "algunos",
    "alla", "alli", "also", "always", "amigo", "amigos", "anoche", "antes", "any", "anyone", "aparece", "aparecen",
    "aqui", "arriba", "asi", "aun", "aunque", "ayudan", "ayudas", "ayude", "ayuden", "ayudo", "back", "bad", "bastante",
    "because", "been", "before", "being", "bien", "buena", "bueno", "cada", "cant", "casa", "casi", "caso", "cierto",
    "claro", "come", "correcta", "correcto", "cosa", "cosas", "could", "creo", "cuales", "cualquier", "cuantas",
    "cuanto", "cuantos", "cuesta", "da", "dan", "dar", "debe", "debo", "decir", "deja", "dejan", "dejar", "demas",
    "dentro", "desde", "despues", "dice", "dicen", "did", "didn", "dio", "does", "doesn", "don", "done", "dos", "duda",
    "dudas", "durante", "ellos", "encima", "encontrar", "entonces", "entre", "era", "eran", "eres", "esa", "ese", "eso",
    "espera", "esperando", "estaba", "estan", "estar", "estas", "estos", "every", "falta", "few", "first", "fue",
    "fuera", "fueron", "funciona", "funcionan", "gente", "get", "gets", "getting", "go", "going", "got", "gran",
    "hablar", "hacen", "haciendo", "had", "han", "hasta", "her", "here", "hice", "him", "his", "hizo", "how", "igual",
    "incluso", "into", "ir", "its", "ja", "jefe", "just", "keep", "keeps", "know", "lado", "last", "later", "let",
    "lets", "like", "llamar", "llame", "llamen", "lleva", "llevo", "luego", "lugar", "made", "make", "mal", "mala",
    "malo", "man", "manana", "manera", "many", "mas", "maybe", "mayor", "mejor", "menos", "mes", "mientras", "mio",
    "mira", "misma", "mismo", "momento", "more", "most", "much", "mucha", "muchas", "muchos", "must", "nada", "nadie",
    "never", "new", "next", "ni", "ningun", "ninguna", "ninguno", "nosotros", "nueva", "nuevas", "nuevo", "nuevos",
    "nunca", "ocurre", "once", "one", "only", "other", "otra", "otras", "otro", "otros", "our", "out", "over", "pasa",
    "pasado", "pasan", "pasar", "paso", "people", "persona", "personas", "poco", "poder", "podria", "pone", "ponen",
    "poner", "porfa", "primer", "primera", "primero", "problem", "problema", "problemas", "pronto", "pude", "pueda",
    "pues", "put", "quien", "quienes", "quiere", "quieren", "quisiera", "rato", "really", "realmente", "respondan",
    "respondes", "resulta", "sabe", "saber", "sabes", "said", "sale", "salen", "salio", "salir", "same", "sea", "see",
    "segun", "segundo", "seguro", "senor", "senora", "ser", "sera", "should", "sido", "siempre", "siendo", "sigo",
    "sigue", "siguen", "since", "sino", "sirve", "sirven", "solo", "some", "somos", "son", "still", "sucede", "such",
    "supongo", "take", "tal", "tambien", "tampoco", "tan", "tanto", "tarde", "tell", "than", "that", "their", "them",
    "then", "there", "these", "they", "thing", "things", "tiempo", "tiene", "tienen", "time", "toda", "todas",
    "todavia", "todo", "todos", "tomorrow", "too", "trata", "trato", "tres", "tried", "try", "trying", "ultima",
    "ultimo", "unable", "uno", "until", "urgent", "urgente", "us", "usted", "ustedes", "va", "vamos", "van", "varias",
    "varios", "veces", "ven", "veo", "ver", "very", "vez", "vi", "vida", "viene", "vienen", "voy", "vuelve", "vuelvo",
    "wait", "waiting", "want", "was", "way", "we", "went", "were", "what", "when", "where", "which", "while", "who",
    "why", "will", "with", "won", "work", "working", "works", "would", "wrong", "year", "years", "yesterday",
))  # fmt: skip
"""Words that stand in texts about anything, in Spanish and in English. Where nobody searched they tell little, although
few articles have them."""
