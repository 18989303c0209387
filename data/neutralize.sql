-- a copied database must not send with the company's money
UPDATE sms_devino_account
   SET mode = 'test',
       login = NULL,
       password = NULL;
